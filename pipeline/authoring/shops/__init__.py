"""Product exports of shops in, manifests out; one small file per format."""
