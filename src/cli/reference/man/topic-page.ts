import type { HelpTopic } from "../../help/topics/help-topic.ts";
import type { Edition } from "./edition.ts";
import { type ManPage, manPage, type PageReference, seeAlso } from "./man-page.ts";
import { bold, entry, paragraph, request, roff } from "./roff.ts";

/** imgpack-environment(7): what `imgpack help environment` prints. @param others to read next. */
export function topicManPage(topic: HelpTopic, others: readonly PageReference[], edition: Edition): ManPage {
  const { name, section } = topicReference(topic);
  return manPage({ name, section, summary: topic.summary }, edition, [
    ...topic.sections.flatMap(({ title, text, rows }) => [
      request("SH", title.toUpperCase()),
      ...text.flatMap((one, at) => [...(at === 0 ? [] : [".PP"]), ...paragraph(roff(one))]),
      ...rows.flatMap(row => entry(bold(row.term), row.text)),
    ]),
    ...seeAlso(others),
  ]);
}

export function topicReference({ name }: HelpTopic): PageReference {
  return { name: `imgpack-${name}`, section: 7 };
}
