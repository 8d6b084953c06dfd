def numbered(lines):
    result = []
    i = 0
    for line in lines:
        result.append(f"{i}: {line}")
        i = i + 1
    return result


def plain(lines):
    return list(lines)
