/** One page of `imgpack help`, which is also the man page imgpack-NAME(7). */
export interface HelpTopic {
  readonly name: string;
  /** One line, as the summary of a command. */
  readonly summary: string;
  readonly sections: readonly TopicSection[];
}

export interface TopicSection {
  readonly title: string;
  /** Paragraphs before the rows. */
  readonly text: readonly string[];
  readonly rows: readonly TopicRow[];
}

export interface TopicRow {
  /** A variable, an exit code, a format. */
  readonly term: string;
  readonly text: string;
}
