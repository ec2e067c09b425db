"""What the data are and what they can say: the data card, the claims of the original study as tests, habits of users.

``card``, ``quality`` and ``protocols`` serve notebook 00; ``people``, ``genres``, ``releases``, ``behaviour`` and
``drift`` serve notebook 01, ``pictures`` both.
"""
