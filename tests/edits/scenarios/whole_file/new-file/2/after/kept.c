int kept(int a) {
  switch (a) {
  case 1:
    // no change
    break;
  }
  return a;
}
