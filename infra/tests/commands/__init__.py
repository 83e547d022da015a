"""The `aws …` commands that stand in the documentation, and what they are run on."""
