import { capital } from "../../../util/format.ts";
import type { HelpTopic, TopicRow } from "../../help/topics/help-topic.ts";
import { code, markdown, table } from "./markdown.ts";

/** What `imgpack help environment` prints. */
export function topicSection({ name, sections }: HelpTopic): readonly string[] {
  const heading = capital(name.replaceAll("-", " "));
  return [
    `## ${heading}`,
    ...sections.flatMap(({ title, text, rows }) => [
      ...(title === heading ? [] : [`### ${title}`]),
      ...text.map(markdown),
      ...(rows.length === 0 ? [] : [table(["name", "meaning"], rows.map(rowOf))]),
    ]),
  ];
}

function rowOf({ term, text }: TopicRow): readonly string[] {
  return [code(term), markdown(text)];
}
