"""What CloudFormation would create of the templates with given parameters, as far as that can be known before.

Conditions are decided, functions are computed, nested stacks are followed. What only AWS knows stays as a name in
angle brackets: `<Data.Table>` is what `!Ref Table` in the stack `Data` is, `<Data.Table.Arn>` its attribute.
"""

import copy
import re

from translate import ROOT, read, translate

NO_VALUE = object()
PSEUDO = {
    "AWS::StackName": "lectern",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/lectern/51af3dc0-da77-11e4-872e-1234567db123",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": NO_VALUE,
}
# The only parameter without a default.
NEEDED = {"IndexUrl": "https://index.example.com:6334"}


def templates():
    """Returns every template by its path, as written."""
    paths = [ROOT / "template.yaml", *sorted((ROOT / "infra").glob("*.yaml"))]
    return {str(path.relative_to(ROOT)): read(path) for path in paths}


class Stack:
    """One stack; `path` is empty or ends in a dot."""

    def __init__(self, sources, file, parameters, path=""):
        self.path = path
        self.file = file
        self.sources = sources
        self.template = translate(copy.deepcopy(sources[file]), parameters)
        declared = self.template.get("Parameters", {})
        unknown = set(parameters) - set(declared)
        assert not unknown, f"{file} has no parameters {unknown}"
        missing = {name for name, of in declared.items() if "Default" not in of} - set(parameters)
        assert not missing, f"{file} is not given {missing}"
        self.parameters = {name: str(parameters.get(name, of.get("Default"))) for name, of in declared.items()}
        self.nested = {}
        self.resources = {
            name: of
            for name, of in self.template["Resources"].items()
            if "Condition" not in of or self.holds(of["Condition"])
        }
        for name, of in self.resources.items():
            if of["Type"] == "AWS::CloudFormation::Stack":
                self.nested[name] = None

    def child(self, name):
        """Returns the nested stack `name`, made when it is first asked for: its parameters may need another one."""
        if self.nested[name] is None:
            given = self.resources[name]["Properties"]
            file = given["TemplateURL"].removeprefix("https://s3.amazonaws.com/packages/")
            parameters = {key: str(self.value(value)) for key, value in given.get("Parameters", {}).items()}
            self.nested[name] = Stack(self.sources, file, parameters, f"{self.path}{name}.")
        return self.nested[name]

    def output(self, name):
        """Returns the value of an output, which must exist."""
        output = self.template["Outputs"][name]
        assert "Condition" not in output or self.holds(output["Condition"]), f"{self.path}{name} is not there"
        return self.value(output["Value"])

    def holds(self, condition):
        """Returns whether a condition, by name or written out, holds."""
        if isinstance(condition, str):
            return self.holds(self.template["Conditions"][condition])
        [(function, arguments)] = condition.items()
        match function:
            case "Condition":
                return self.holds(arguments)
            case "Fn::Equals":
                left, right = (str(self.value(argument)) for argument in arguments)
                return left == right
            case "Fn::Not":
                return not self.holds(arguments[0])
            case "Fn::And":
                return all(self.holds(argument) for argument in arguments)
            case "Fn::Or":
                return any(self.holds(argument) for argument in arguments)
        raise AssertionError(f"unknown condition {function}")

    def value(self, node):
        """Returns a value with every function in it computed."""
        if isinstance(node, list):
            values = [self.value(item) for item in node]
            return [value for value in values if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(function, argument)] = node.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self.computed(function, argument)
        values = {key: self.value(value) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def computed(self, function, argument):
        match function:
            case "Ref":
                return self.ref(argument)
            case "Fn::GetAtt":
                return self.attribute(argument if isinstance(argument, str) else ".".join(argument))
            case "Fn::If":
                return self.value(argument[1] if self.holds(argument[0]) else argument[2])
            case "Fn::Sub":
                text, extra = (argument, {}) if isinstance(argument, str) else argument
                extra = {name: self.value(value) for name, value in extra.items()}
                return re.sub(r"\$\{([^!}][^}]*)\}", lambda found: str(self.named(found[1], extra)), text)
            case "Fn::Select":
                return self.value(argument[1])[int(self.value(argument[0]))]
            case "Fn::Split":
                return str(self.value(argument[1])).split(argument[0])
            case "Fn::Join":
                return argument[0].join(str(part) for part in self.value(argument[1]))
            case "Fn::FindInMap":
                mapping, first, second = (self.value(part) for part in argument)
                return self.template["Mappings"][mapping][first][second]
        raise AssertionError(f"unknown function {function}")

    def named(self, name, extra):
        if name in extra:
            return extra[name]
        return self.attribute(name) if "." in name else self.ref(name)

    def ref(self, name):
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        assert name in self.resources, f"{self.file} refers to {name}, which is not created"
        if self.resources[name]["Type"] == "AWS::Lambda::Alias":
            # Known to be an ARN, and taken apart in scaling.yaml.
            alias = self.value(self.resources[name]["Properties"])
            return f"arn:aws:lambda:eu-central-1:123456789012:function:{alias['FunctionName']}:{alias['Name']}"
        if self.resources[name]["Type"] == "AWS::Synthetics::Canary":
            return self.value(self.resources[name]["Properties"]["Name"])
        return f"<{self.path}{name}>"

    def attribute(self, dotted):
        name, attribute = dotted.split(".", 1)
        assert name in self.resources, f"{self.file} refers to {name}, which is not created"
        if name in self.nested:
            return self.child(name).output(attribute.removeprefix("Outputs."))
        return f"<{self.path}{name}.{attribute}>"

    def stacks(self):
        """Yields this stack and all below it."""
        yield self
        for name in self.nested:
            yield from self.child(name).stacks()

    def all(self, kind):
        """Returns the resources of a type in all stacks, by path: the whole resource with its functions computed."""
        found = {}
        for stack in self.stacks():
            for name, of in stack.resources.items():
                if of["Type"] == kind:
                    found[stack.path + name] = stack.value(of)
        return found

    def one(self, kind):
        """Returns the properties of the only resource of a type."""
        [found] = self.all(kind).values()
        return found["Properties"]

    def properties(self, path):
        """Returns the properties of the resource at `path`, as `Data.Table` or `<Data.Table>`."""
        *stacks, name = path.strip("<>").split(".")
        stack = self
        for part in stacks:
            stack = stack.child(part)
        return stack.value(stack.resources[name]["Properties"])


def deploy(sources=None, **parameters):
    """Returns the stack as deployed with `parameters` and, for the rest, the defaults."""
    return Stack(sources or templates(), "template.yaml", {**NEEDED, **parameters})
