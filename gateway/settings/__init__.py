"""The configuration: from YAML files to frozen settings, with everything that is wrong in them found in one run."""
