/**
 * One part of a comparison as a table: what differs, and on demand what is the same.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { IComparedRow, IRun } from '../../api/types';
import { columnStyle } from './columns';
import { RunNumber } from './compare';
import { written } from './words';

export function ComparedRows(props: {
  readonly title: string;
  readonly rows: readonly IComparedRow[];
  readonly runs: readonly IRun[];
  /** Whether what differs is shown at first. */
  readonly isShown: boolean;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { title, rows, runs, isShown, trans } = props;
  const [isWhole, setWhole] = useState(false);
  const differing = rows.filter(row => row.differs);
  const same = rows.length - differing.length;
  const shown = isWhole
    ? [...differing, ...rows.filter(row => !row.differs)]
    : differing;
  if (!rows.length) {
    return null;
  }
  return (
    <details
      className="jp-Workbench-comparedPart"
      open={isShown && differing.length > 0}
    >
      <summary>
        <h3>{title}</h3>
        <span className="jp-Workbench-muted">
          {differing.length
            ? trans.__('%1 of %2 differ', differing.length, rows.length)
            : trans.__('all the same')}
        </span>
      </summary>
      <div className="jp-Workbench-across">
        <table aria-label={title} style={columnStyle(runs)}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              {runs.map((run, index) => (
                <th key={run.run_id} scope="col" title={run.name}>
                  <RunNumber index={index} of={runs.length} /> {run.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(row => (
              <tr key={row.name} data-differs={row.differs}>
                <th scope="row" title={row.name}>
                  {row.name}
                </th>
                {row.values.map((value, index) => (
                  <td key={index} title={value === null ? undefined : String(value)}>
                    {written(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {same > 0 && (
        <button className="jp-Workbench-link" onClick={() => setWhole(!isWhole)}>
          {isWhole
            ? trans.__('Hide what is the same')
            : trans._n(
                'Show %1 that is the same',
                'Show %1 that are the same',
                same,
                same
              )}
        </button>
      )}
    </details>
  );
}
