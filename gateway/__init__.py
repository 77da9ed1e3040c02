"""Exchange of signed fast-track case bundles between criminal-justice agencies."""
