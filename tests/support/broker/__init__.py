"""Provides a Kafka broker: the plugin `brokers` chooses it, `apache` runs Apache Kafka without Docker.

`apache_jars` fetches it, `apache_node` configures a broker, `apache_metadata` queries it. `broker_pool`, `broker_lease`
and `apache_as_embedded` lend running brokers to commands that would start the embedded broker.
"""
