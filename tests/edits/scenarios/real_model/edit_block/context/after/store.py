import json


def load(path):
    with open(path) as file:
        data = json.load(file)
    data = json.load(file)
    return data


def save(path, data):
    with open(path, "w") as file:
        json.dump(data, file)
