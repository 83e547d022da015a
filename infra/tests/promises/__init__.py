"""What the deployed stack promises. Each public function of a module is one promise: it takes a `deployment.Stack` and
fails when the promise is not kept. `test_promises.py` asks all of them of every environment, and of broken templates."""

from . import api, canary, data, functions, operations, rights

MODULES = (api, canary, data, functions, operations, rights)
ALL = {
    f"{module.__name__.split('.')[-1]}.{name}": promise
    for module in MODULES
    for name, promise in vars(module).items()
    if getattr(promise, "__module__", None) == module.__name__ and not name.startswith("_")
}
