import { html } from "../html/html.ts";
import type { PageRequest, PageResult } from "./page-result.ts";

/** GET /damage: what is damaged or missing, and what to do about it. */
export async function damagePage({ catalogue }: PageRequest): Promise<PageResult> {
  const { totals } = await catalogue();
  return {
    isKept: false,
    page: () => ({ title: "Damage", place: "damage", main: html`<h1>Damage</h1>` }),
    data: () => totals,
  };
}
