:root {
  --ink: #1d1d1f;
  --paper: #fbfbfd;
  --accent: #0a7;
}

body {
  margin: 0;
  color: var(--ink);
  background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif;
}
