"""The `aws` of the tests: the AWS CLI, stricter, and with what version 2 has besides.

PyPI has version 1. Its operations and options come from the same descriptions of the services; of what the commands use, version 2
has one option more, `--cli-binary-format`. Without it, it takes blobs for base64, and refuses JSON. Both versions send values
to the service that none of its enumerations has; here they are refused.
"""

import base64
import binascii
import contextlib
import io
import os
from types import SimpleNamespace

import awscli.clidriver
from awscli.argparser import ArgTableArgParser, CLIArgParser
from awscli.arguments import CustomArgument
from awscli.botocore.exceptions import ParamValidationError
from awscli.customizations.overridesslcommonname import update_endpoint_url
from awscli.customizations.s3.s3 import S3

# As the CLI ends when it does not take a command.
REFUSED = 252
# An option that is cut short is taken until the service gets another one that begins like it.
CLIArgParser._get_option_tuples = lambda self, option: []
FORMATS = ("base64", "raw-in-base64-out")


def driver(is_offline=False):
    """Returns the CLI with the option and the checks. Offline it goes as far as a request, and takes the answer for empty.

    (`--generate-cli-skeleton output` does so, too, but refuses some of the answers that it makes up.)
    """
    cli = awscli.clidriver.create_clidriver()
    binary = {"format": FORMATS[0]}

    def add_option(argument_table, **_):
        option = CustomArgument("cli-binary-format", choices=FORMATS, default=FORMATS[0])
        option.add_to_arg_table(argument_table)

    def keep_format(parsed_args, **_):
        binary["format"] = parsed_args.cli_binary_format

    def check_blob(param, value, **_):
        if getattr(param, "cli_type_name", "") == "blob" and isinstance(value, str) and not value.startswith("fileb://"):
            if binary["format"] == "base64" and not is_base64(value):
                raise ParamValidationError(report=f"Invalid base64: {value}")

    cli.session.register("building-top-level-params", add_option)
    cli.session.register("top-level-args-parsed", keep_format)
    cli.session.get_component("event_emitter").register_first("load-cli-arg.*.*", check_blob)
    cli.session.register("before-parameter-build.*.*", check_values)
    # Version 1 asks SQS at an address of its own, whatever `AWS_ENDPOINT_URL` says.
    cli.session.unregister("before-building-argument-table-parser", update_endpoint_url)
    if is_offline:
        cli.session.register("before-call.*.*", empty)
    return cli


def empty(model, **_):
    """Returns an empty answer in place of the network's."""
    body = {model.output_shape.serialization["payload"]: io.BytesIO()} if model.has_streaming_output else {}
    return SimpleNamespace(status_code=200), {"ResponseMetadata": {}, **body}


def is_base64(value):
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def check_values(params, model, **_):
    wrong = list(wrong_values(params, model.input_shape, model.name))
    if wrong:
        raise ParamValidationError(report="\n".join(wrong))


def wrong_values(value, shape, at):
    """Yields where a value is none of those that its enumeration has."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            yield from wrong_values(value.get(name), member, f"{at}.{name}")
    elif shape.type_name == "list" and isinstance(value, (list, tuple)):
        for item in value:
            yield from wrong_values(item, shape.member, f"{at}[]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from wrong_values(key, shape.key, f"{at} key")
            yield from wrong_values(item, shape.value, f"{at}.{key}")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{at}: {value!r} is none of {', '.join(shape.enum)}"


def run(cli, arguments):
    """Runs a command in this process. Returns its exit status, what it printed, and what it complained of."""
    printed, complained = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        try:
            status = cli.main(list(arguments))
        except SystemExit as ended:
            status = ended.code
    texts = []
    for stream in (printed, complained):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return status, *texts


def validate(cli, arguments):
    """As `run`, with an offline CLI: the command is read and held to the description of its service."""
    if arguments[0] != "s3":
        return run(cli, arguments)
    # These commands make many requests, each by what was answered before.
    table = S3(cli.session).subcommand_table
    if arguments[1] not in table:
        return REFUSED, "", f"Invalid choice: {arguments[1]}"
    complained = io.StringIO()
    with contextlib.redirect_stderr(complained):
        try:
            _, unknown = ArgTableArgParser(table[arguments[1]].arg_table).parse_known_args(list(arguments[2:]))
        except SystemExit:
            return REFUSED, "", complained.getvalue()
    return (REFUSED, "", f"Unknown options: {', '.join(unknown)}") if unknown else (0, "", "")


def main(arguments):
    """Runs a command, offline if it is named in `COMMANDS_OFFLINE`."""
    is_offline = " ".join(arguments[:2]) in os.environ.get("COMMANDS_OFFLINE", "").split(",")
    return driver(is_offline).main(arguments)
