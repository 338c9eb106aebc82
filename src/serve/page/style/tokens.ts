/** Colours, sizes and fonts; light and dark. */
export const TOKENS = `
:root {
  color-scheme: light dark;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, Cantarell, sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  --text-s: 0.8125rem;
  --text-m: 0.9375rem;
  --text-l: 1.125rem;
  --text-xl: clamp(1.5rem, 1.15rem + 1.5vw, 2.125rem);
  --s1: 0.25rem;
  --s2: 0.5rem;
  --s3: 0.75rem;
  --s4: 1rem;
  --s5: 1.5rem;
  --s6: 2.25rem;
  --s7: 3.5rem;
  --gutter: clamp(1rem, 4vw, 3rem);
  --wide: 90rem;
  --radius: 6px;
  --bg: #f7f7f4;
  --surface: #ffffff;
  --sunken: #eeeeea;
  --ink: #191c1f;
  --ink-2: #4a5057;
  --ink-3: #646a71;
  --line: #e0e0da;
  --line-2: #8d9196;
  --accent: #0b5a70;
  --own: #0f6e87;
  --shared: #8fb9c4;
  --shared-line: #3f7f90;
  --track: #e6e6e1;
  --calm: #c3c7c5;
  --bad: #b3231b;
  --bad-bg: #fdefed;
  --bad-line: #e3a49f;
  --warn: #7d5200;
  --warn-bg: #fdf4e0;
  --good: #1c6638;
  --good-bg: #e9f4ec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #111416;
    --surface: #191d20;
    --sunken: #22272b;
    --ink: #eaebe8;
    --ink-2: #b9bec3;
    --ink-3: #979da4;
    --line: #2b3135;
    --line-2: #767d84;
    --accent: #74c9de;
    --own: #4fb3cc;
    --shared: #2f5965;
    --shared-line: #7fbccb;
    --track: #272d31;
    --calm: #465058;
    --bad: #ff9c93;
    --bad-bg: #2f1614;
    --bad-line: #7d3630;
    --warn: #eebf66;
    --warn-bg: #2b2110;
    --good: #86d3a0;
    --good-bg: #14291c;
  }
}
`;
