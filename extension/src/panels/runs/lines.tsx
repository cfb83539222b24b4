/**
 * How metrics went, drawn small beside their last values.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import React, { useCallback, useSyncExternalStore } from 'react';

import { api, ask } from '../../api/client';
import { IRun, Metric } from '../../api/types';
import { Workbench } from '../../workbench';

export type Points = readonly (Metric | null)[];
export type RunLines = Readonly<Record<string, Points>>;

const AT_ONCE = 50;
const MOST = 8;
const NONE: RunLines = {};

/** The lines of the runs that were listed: read after the rows, which don't wait for them. */
export class Lines implements IDisposable {
  constructor(private readonly _workbench: Workbench) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  of(runId: string): RunLines {
    return this._lines.get(runId) ?? NONE;
  }

  /** Read the lines of those runs that have none yet. */
  async want(runs: readonly IRun[]): Promise<void> {
    const missing = runs.filter(run => !this._lines.has(run.run_id));
    for (let at = 0; at < missing.length; at += AT_ONCE) {
      const ids = missing.slice(at, at + AT_ONCE).map(run => run.run_id);
      ids.forEach(id => this._lines.set(id, NONE));
      const query = { path: this._workbench.path, runs: ids.join(','), most: MOST };
      try {
        const found = await ask(api.GET('/runs/sparklines', { params: { query } }));
        Object.entries(found).forEach(([id, lines]) => this._lines.set(id, lines));
        this._changed.emit();
      } catch (error) {
        // The numbers are there without them.
        console.debug('Workbench: no sparklines', error);
      }
    }
    runs.forEach(
      ({ run_id, status }) => status === 'RUNNING' && this._live.add(run_id)
    );
  }

  /** Read those again that may have got longer. */
  forgetRunning(): void {
    this._live.forEach(id => this._lines.delete(id));
    this._live.clear();
  }

  clear(): void {
    this._lines.clear();
    this._live.clear();
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private readonly _lines = new Map<string, RunLines>();
  private readonly _live = new Set<string>();
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

export function useLines(lines: Lines, runId: string): RunLines {
  const subscribe = useCallback(
    (listener: () => void) => {
      lines.changed.connect(listener);
      return () => void lines.changed.disconnect(listener);
    },
    [lines]
  );
  return useSyncExternalStore(subscribe, () => lines.of(runId));
}

const [WIDTH, HEIGHT, MARGIN] = [60, 16, 1.5];

/** Draw values in their order; one that is no number is a gap. */
export function Sparkline(props: {
  readonly name: string;
  readonly points: Points;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { name, points, trans } = props;
  const known = points.filter(isNumber);
  if (known.length < 2) {
    return null;
  }
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (index: number): number => (index * WIDTH) / (points.length - 1);
  const y = (point: number): number =>
    HEIGHT - MARGIN - ((HEIGHT - 2 * MARGIN) * (point - low)) / (high - low || 1);
  let pen = 'M';
  const path = points.map((point, index) => {
    if (!isNumber(point)) {
      pen = 'M';
      return '';
    }
    const step = `${pen}${x(index).toFixed(1)} ${y(point).toFixed(1)}`;
    pen = 'L';
    return step;
  });
  const said = trans.__(
    '%1 went from %2 to %3',
    name,
    known[0],
    known[known.length - 1]
  );
  return (
    <svg
      className="jp-Workbench-spark"
      role="img"
      aria-label={said}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      <title>{said}</title>
      <path d={path.join('')} />
    </svg>
  );
}

function isNumber(point: Metric | null): point is number {
  return typeof point === 'number';
}
