/**
 * Lines of text that differ.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

export interface ILine {
  readonly kind: 'same' | 'added' | 'removed' | 'gap';
  readonly text: string;
  readonly before: number | null;
  readonly after: number | null;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** Read a difference in the unified form, without the lines that name files. */
export function readUnified(text: string): ILine[] {
  const lines: ILine[] = [];
  let [before, after] = [0, 0];
  for (const line of text ? text.split('\n') : []) {
    const hunk = HUNK.exec(line);
    if (hunk) {
      [before, after] = [Number(hunk[1]), Number(hunk[2])];
      if (lines.length) {
        lines.push({ kind: 'gap', text: '', before: null, after: null });
      }
    } else if (line.startsWith('+')) {
      lines.push({ kind: 'added', text: line.slice(1), before: null, after: after++ });
    } else if (line.startsWith('-')) {
      lines.push({
        kind: 'removed',
        text: line.slice(1),
        before: before++,
        after: null
      });
    } else {
      lines.push({
        kind: 'same',
        text: line.slice(1),
        before: before++,
        after: after++
      });
    }
  }
  return lines;
}

/** Above this many pairs of lines the second text is shown as new. */
const MOST_PAIRS = 1_000_000;

/** Compare two texts line by line, by their longest common subsequence. */
export function compareTexts(base: string, other: string): ILine[] {
  const [old, now] = [base.split('\n'), other.split('\n')];
  const width = now.length + 1;
  const isSmall = old.length * now.length <= MOST_PAIRS;
  const common = new Uint32Array(isSmall ? (old.length + 1) * width : 0);
  for (let i = old.length - 1; isSmall && i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const at = i * width + j;
      common[at] =
        old[i] === now[j]
          ? common[at + width + 1] + 1
          : Math.max(common[at + width], common[at + 1]);
    }
  }
  const lines: ILine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const at = i * width + j;
    if (i < old.length && j < now.length && isSmall && old[i] === now[j]) {
      lines.push({ kind: 'same', text: now[j], before: ++i, after: ++j });
    } else if (
      i < old.length &&
      (j >= now.length || common[at + width] >= common[at + 1])
    ) {
      lines.push({ kind: 'removed', text: old[i], before: ++i, after: null });
    } else {
      lines.push({ kind: 'added', text: now[j], before: null, after: ++j });
    }
  }
  return lines;
}

/** Lines with their numbers and a sign each, so that colour isn't all that tells. */
export function Lines(props: {
  readonly lines: readonly ILine[];
  readonly label: string;
  readonly trans: TranslationBundle;
  /** Without the numbers, where there is little room. */
  readonly isNarrow?: boolean;
}): JSX.Element {
  const { lines, label, trans, isNarrow } = props;
  const words = {
    same: '',
    gap: trans.__('lines that are the same'),
    added: trans.__('added'),
    removed: trans.__('removed')
  };
  const signs = { same: ' ', gap: '⋮', added: '+', removed: '−' };
  return (
    <div className="jp-Workbench-lines" tabIndex={0} role="group" aria-label={label}>
      <table>
        <tbody>
          {lines.map((line, index) => (
            <tr key={index} data-kind={line.kind}>
              {!isNarrow && (
                <>
                  <td className="jp-Workbench-lineNumber">{line.before}</td>
                  <td className="jp-Workbench-lineNumber">{line.after}</td>
                </>
              )}
              <td className="jp-Workbench-lineSign">
                <span aria-hidden="true">{signs[line.kind]}</span>
                <span className="jp-Workbench-unseen">{words[line.kind]}</span>
              </td>
              <td className="jp-Workbench-lineText">{line.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
