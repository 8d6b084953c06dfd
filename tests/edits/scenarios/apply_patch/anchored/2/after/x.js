function Beta(rows) {
  let total = 0;
  for (const row of rows) {
    total += row;
  }
  return total;
}

function Delta(rows) {
  let total = 0;
  for (const row of rows) {
    total += row;
  }
  return total;
}

function Gamma(rows) {
  let total = 0;
  for (const row of rows) {
    total += row;  # new
  }
  return total;
}

