import { type Html, html, type Part } from "../html/html.ts";

// Roles are explicit: on a phone rows are blocks, and a table of blocks is no table to a reader of the screen.

export interface Column {
  readonly text: string;
  /** Default none. */
  readonly style?: string;
}

export interface TableOptions {
  /** Default "stack": rows become blocks on a phone. */
  readonly style?: string;
  /** Id of the heading that names it. */
  readonly labelledBy?: string;
  /** A name that only readers of the screen get. */
  readonly caption?: string;
}

/** @param rows as `row` makes them */
export function table(columns: readonly Column[], rows: readonly Html[], options: TableOptions = {}): Html {
  return tableOfGroups(columns, [rows], options);
}

/** @param groups rows that belong together, each group with a `groupHead` as its first row, if it has a name */
export function tableOfGroups(
  columns: readonly Column[],
  groups: readonly (readonly Html[])[],
  options: TableOptions = {},
): Html {
  const { style = "stack", labelledBy, caption } = options;
  const label = labelledBy !== undefined && html` aria-labelledby="${labelledBy}"`;
  const heads = columns.map(
    ({ text, style }) => html`<th role="columnheader" scope="col"${classes(style)}>${text}</th>`,
  );
  return html`<table role="table" class="${style}"${label}>${
    caption !== undefined && html`<caption class="hide">${caption}</caption>`
  }<thead role="rowgroup"><tr role="row">${heads}</tr></thead>${groups.map(
    rows => html`<tbody role="rowgroup">
${rows}</tbody>`,
  )}</table>`;
}

/** @param cells as `rowHead` and `cell` make them */
export function row(
  cells: readonly Html[],
  { style, id }: { readonly style?: string | undefined; readonly id?: string } = {},
): Html {
  return html`<tr role="row"${classes(style)}${id !== undefined && html` id="${id}"`}>${cells}</tr>\n`;
}

/** The row that names a group. */
export function groupHead(content: Part, columns: number): Html {
  return html`<tr role="row" class="rg"><th role="rowheader" scope="rowgroup" colspan="${columns}">${content}</th></tr>\n`;
}

/** The cell that names the row. */
export function rowHead(content: Part, style?: string): Html {
  return html`<th role="rowheader" scope="row"${classes(style)}>${content}</th>`;
}

/** @param label is written before the content where rows are blocks. */
export function cell(content: Part, style?: string, label?: string): Html {
  return html`<td role="cell"${classes(style)}${label !== undefined && html` data-l="${label}"`}>${content}</td>`;
}

function classes(style: string | undefined): Html | undefined {
  return style === undefined ? undefined : html` class="${style}"`;
}
