"""A contract drafted from a log: ``drafted_products`` says which features are one product and which licences are for
it, ``contract_draft`` writes it as commented YAML, ``yaml_texts`` quotes the names of others.
"""
