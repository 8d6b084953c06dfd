def parse(line):
    print("DEBUG", line)
    key, _, value = line.partition("=")
    print("DEBUG", key, value)
    return key.strip(), value.strip()
