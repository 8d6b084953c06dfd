def slug(text):
    words = text.lower().split()
    return "-".join(words)


def title(text):
    return " ".join(word.capitalize() for word in text.split())
