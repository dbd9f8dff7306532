"""The instrument: one prompt out, one ``Exchange`` back, over Amazon Bedrock's runtime API."""
