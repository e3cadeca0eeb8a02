"""The benchmark part `api`: requests over HTTP beside a bare endpoint on the same stack."""
