"""The product exports of shops become manifests; one small file per export format."""
