"""What SAM makes of a template, without an account: the CloudFormation that is deployed.

`python infra/tests/translate.py [Name=value …]` prints it as JSON.
"""

import json
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from samtranslator.parser.parser import Parser
from samtranslator.public.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
# What SAM would ask IAM for. Lectern's templates name managed policies by their ARN, so there is nothing to ask.
MANAGED_POLICIES = {}
# A sentence about a feature toggle for each function.
logging.getLogger("samtranslator").setLevel(logging.WARNING)


def read(path):
    """Returns a template with the short forms of functions (`!Ref x`) written out (`{"Ref": "x"}`)."""
    return yaml_parse(Path(path).read_text())


def translate(template, parameters=None):
    """Returns the CloudFormation that SAM makes of `template`, which it may change, with these parameters."""
    template = with_packages(template)
    if "Transform" not in template:
        return template
    logging.disable(logging.WARNING)
    try:
        return Translator(MANAGED_POLICIES, Parser()).translate(template, parameters or {})
    finally:
        logging.disable(logging.NOTSET)


def with_packages(template):
    """Puts places in S3 where `sam package` would: before that, templates name folders."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = f"s3://packages/{name}"
        elif resource["Type"] == "AWS::CloudFormation::Stack":
            # The file's name stays readable: tests find the template again by it.
            properties["TemplateURL"] = f"https://s3.amazonaws.com/packages/{properties['TemplateURL']}"
    return template


if __name__ == "__main__":
    pairs = dict(pair.split("=", 1) for pair in sys.argv[1:])
    json.dump(translate(read(ROOT / "template.yaml"), pairs), sys.stdout, indent=1)
