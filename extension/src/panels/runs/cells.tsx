/**
 * How the cells that runs executed differ, line by line.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { INotebookDiff, IRun } from '../../api/types';
import { RunNumber } from './compare';

type Change = INotebookDiff['cells'][number];

export function Cells(props: {
  readonly runs: readonly IRun[];
  readonly cells: readonly (INotebookDiff | null)[];
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { runs, cells, trans } = props;
  return (
    <details className="jp-Workbench-comparedPart" open>
      <summary>
        <h3>{trans.__('Cells')}</h3>
        <span className="jp-Workbench-muted">
          {trans.__('each run beside the first one')}
        </span>
      </summary>
      {cells.map((diff, index) => (
        <section key={runs[index + 1].run_id} className="jp-Workbench-runCells">
          <h4>
            <RunNumber index={0} of={runs.length} /> →{' '}
            <RunNumber index={index + 1} of={runs.length} />
            <span>{runs[index + 1].name}</span>
          </h4>
          {diff === null ? (
            <p className="jp-Workbench-muted">
              {trans.__('One of the two left no executed cells.')}
            </p>
          ) : diff.cells.length ? (
            diff.cells.map((change, place) => (
              <CellChange key={place} change={change} trans={trans} />
            ))
          ) : (
            <p className="jp-Workbench-muted">{trans.__('The same cells.')}</p>
          )}
        </section>
      ))}
    </details>
  );
}

function CellChange(props: {
  readonly change: Change;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { change, trans } = props;
  const place = change.other_index ?? change.base_index;
  return (
    <div className="jp-Workbench-cellChange">
      <div className="jp-Workbench-muted">
        {kindName(change.kind, trans)}
        {place !== null && ` · ${trans.__('cell %1', place + 1)}`}
      </div>
      {change.diff && (
        <pre>
          {change.diff
            .split('\n')
            .filter(line => !line.startsWith('@@'))
            .map((line, index) => (
              <span key={index} data-sign={line[0]}>
                {line}
                {'\n'}
              </span>
            ))}
        </pre>
      )}
    </div>
  );
}

function kindName(kind: Change['kind'], trans: TranslationBundle): string {
  switch (kind) {
    case 'added':
      return trans.__('Added');
    case 'removed':
      return trans.__('Removed');
    case 'moved':
      return trans.__('Moved');
    case 'changed':
      return trans.__('Changed');
  }
}
