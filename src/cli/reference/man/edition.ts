/** What each page of the manual says in its head and foot. */
export interface Edition {
  readonly version: string;
  /** Day of the newest release, as in `2026-03-01`; empty before there is one. */
  readonly date: string;
}

/** @param packageJson, changelog the texts of these files. */
export function editionOf(packageJson: string, changelog: string): Edition {
  const { version = "" }: { version?: string } = JSON.parse(packageJson);
  const [, date = ""] = /^## .*\b(\d{4}-\d{2}-\d{2})\b/m.exec(changelog) ?? [];
  return { version, date };
}
