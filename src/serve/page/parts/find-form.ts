import { type Html, html, type Part } from "../html/html.ts";

export interface Choice {
  /** Short, for the URL. Empty: the default. */
  readonly value: string;
  readonly text: string;
}

/** A form that asks for the same page with other values. */
export interface FindFormOptions {
  readonly action: string;
  readonly label: string;
  readonly query: string;
  readonly placeholder: string;
  /** Each is one list to choose from. */
  readonly choices: readonly {
    readonly name: string;
    readonly label: string;
    readonly chosen: string;
    readonly of: readonly Choice[];
  }[];
  /** Values that stay. */
  readonly kept?: Readonly<Record<string, string | undefined>>;
}

export function findForm({ action, label, query, placeholder, choices, kept = {} }: FindFormOptions): Html {
  const hidden = Object.entries(kept).map(
    ([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const lists = choices.map(({ name, label, chosen, of }) => {
    const options = of.map(
      ({ value, text }) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`,
    );
    return html`<label>${label}<select name="${name}">${options}</select></label>\n`;
  });
  const field = html`<input type="search" name="q" value="${query}" placeholder="${placeholder}" maxlength="512" autocomplete="off" spellcheck="false">`;
  const content: Part = html`${hidden}<label class="grow">Find${field}</label>\n${lists}<button>Find</button>`;
  return html`<form class="find" method="get" action="${action}" role="search" aria-label="${label}">${content}</form>`;
}
