/**
 * The cells of a notebook that differ, below each other: for an overview of several notebooks.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { ICellChange, INotebookDiff } from '../../../api/types';
import { Lines, readUnified } from './lines';

export function Cells(props: {
  readonly diff: INotebookDiff;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { diff, trans } = props;
  return (
    <>
      {diff.metadata.length > 0 && (
        <p className="jp-Workbench-muted">
          {trans.__('The notebook’s own metadata: %1', diff.metadata.join(', '))}
        </p>
      )}
      {diff.cells.map((cell, index) => (
        <Cell key={index} cell={cell} trans={trans} />
      ))}
    </>
  );
}

function Cell(props: {
  readonly cell: ICellChange;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { cell, trans } = props;
  const label = titleOf(cell, trans);
  return (
    <div className="jp-Workbench-cellDiff" data-kind={cell.kind}>
      <p className="jp-Workbench-cellDiffHead">
        {label}
        {cell.changed && cell.changed.length > 0 && (
          <span className="jp-Workbench-muted">
            {' '}
            {trans.__('also differs: %1', cell.changed.join(', '))}
          </span>
        )}
      </p>
      {cell.diff && (
        <Lines lines={readUnified(cell.diff)} label={label} trans={trans} />
      )}
    </div>
  );
}

function titleOf(cell: ICellChange, trans: TranslationBundle): string {
  const [from, to] = [cell.base_index, cell.other_index].map(place =>
    place === null ? '' : String(place + 1)
  );
  switch (cell.kind) {
    case 'added':
      return trans.__('Cell %1 is new (%2)', to, cell.cell_type);
    case 'removed':
      return trans.__('Cell %1 is gone (%2)', from, cell.cell_type);
    case 'moved':
      return trans.__('Cell %1 was moved to %2', from, to);
    case 'changed':
      return trans.__('Cell %1 has changed (%2)', to, cell.cell_type);
  }
}
