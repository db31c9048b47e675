"""What a log says by itself, before there is a contract: ``feature_summary`` is each feature's use and its denials,
``feature_pairs`` which features are two names of one product.
"""
