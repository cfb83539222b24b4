/**
 * What is shown of the runs, and what of it is remembered.
 */
const COLUMNS_KEY = 'jupyter-workbench:runs:columns';

export type Scope = 'all' | 'branch';

export interface ISort {
  /** `start_time`, or `metrics.` and a name, or `params.` and one. */
  readonly field: string;
  readonly isDescending: boolean;
}

export interface IRunsView {
  readonly scope: Scope;
  /** What was typed, in MLflow's language. */
  readonly filter: string;
  /** Why what was typed says nothing; the list goes by what was typed before it. */
  readonly problem: string;
  readonly sort: ISort;
  /** The columns of the wide table; null for the usual ones. */
  readonly columns: readonly string[] | null;
  /** The branch whose runs these are, if they are of one. */
  readonly branch: string | null;
  /** The ids of the chosen runs, in the order of choosing. */
  readonly chosen: ReadonlySet<string>;
  /** The ids of those whose details are open. */
  readonly open: ReadonlySet<string>;
}

const NOTHING: IRunsView = {
  scope: 'all',
  filter: '',
  problem: '',
  sort: { field: 'start_time', isDescending: true },
  columns: null,
  branch: null,
  chosen: new Set(),
  open: new Set()
};

/** What is shown before anything was asked for. */
export function atFirst(): IRunsView {
  return { ...NOTHING, columns: readColumns() };
}

function readColumns(): readonly string[] | null {
  try {
    const columns: unknown = JSON.parse(localStorage.getItem(COLUMNS_KEY) ?? 'null');
    return Array.isArray(columns) ? columns.map(String) : null;
  } catch {
    return null;
  }
}

/** Remember which columns are shown, in this browser. */
export function writeColumns(columns: readonly string[] | null): void {
  try {
    localStorage.setItem(COLUMNS_KEY, JSON.stringify(columns));
  } catch {
    // A browser that keeps nothing shows the usual ones the next time.
  }
}
