"""The account: what all manifests are paid from, and its book of every live submission."""
