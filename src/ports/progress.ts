/** What a long job tells whoever watches it. Events are cheap and may be dropped. */
export type ProgressEvent =
  | { readonly kind: 'stage'; readonly text: string }
  | { readonly kind: 'bytes'; readonly doneBytes: number; readonly totalBytes: number | undefined };

export type Progress = (event: ProgressEvent) => void;
