/**
 * Whether a notebook was run as it reads, from top to bottom.
 *
 * The server judges a run by every execution that the kernel saw (`workbench/tracking/capture`).
 * Here there are only the numbers that the cells carry; where they say the same they say it in the
 * same words: every cell once, from the top. Cells at the end that were not reached don't matter.
 */
import { TranslationBundle } from '@jupyterlab/translation';

/** A code cell, as far as it matters here. */
export interface ICellRun {
  readonly source: string;
  /** The number that the kernel gave its last execution; null if it has none. */
  readonly count: number | null;
  /** Whether its source was changed after it ran. */
  readonly isChanged: boolean;
}

/** Say what is out of order; null if nothing is, or nothing was run. */
export function disorder(
  cells: readonly ICellRun[],
  trans: TranslationBundle
): string | null {
  const filled = cells.filter(cell => cell.source.trim());
  const counts = filled.map(cell => cell.count);
  const last = counts.reduce<number>((end, count, at) => (count ? at : end), -1);
  for (let at = 0; at <= last; at++) {
    const count = counts[at];
    const next = counts.slice(at + 1).find(each => each !== null) ?? null;
    if (!count) {
      return trans.__('cell %1 was passed over', at + 1);
    }
    if (next !== null && next < count) {
      const other = counts.indexOf(next);
      return trans.__('cell %1 was run before cell %2', other + 1, at + 1);
    }
    if (count !== at + 1) {
      return trans.__(
        'something was run twice, or is gone: cell %1 has the number %2',
        at + 1,
        count
      );
    }
    if (filled[at].isChanged) {
      return trans.__('cell %1 was changed after it ran', at + 1);
    }
  }
  return null;
}
