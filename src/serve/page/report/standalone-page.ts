import { type Html, html, type Part } from "../html/html.ts";
import { styleElement } from "../parts/style-element.ts";
import { STYLESHEET, styleSource } from "../style/stylesheet.ts";

/**
 * A page that is a file: nothing in it is loaded, and no script runs.
 *
 * @param title plain text
 * @param ownStyles stylesheets in addition; our own text
 */
export function standalonePage(title: string, main: Part, ownStyles: readonly string[] = []): Html {
  const styles = [STYLESHEET, ...ownStyles];
  const sources = styles.map(styleSource).join(" ");
  const policy = `default-src 'none'; style-src ${sources}; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${styles.map(styleElement)}
</head>
<body>
<main class="wrap">
${main}
</main>
</body>
</html>
`;
}
