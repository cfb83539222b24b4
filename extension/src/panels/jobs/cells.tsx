import { OutputAreaModel, SimplifiedOutputArea } from '@jupyterlab/outputarea';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import React, { useLayoutEffect, useRef } from 'react';

import { IJob, IJobCell } from '../../api/types';
import { ICellProgress } from './progress';
import { duration, isOpen, Sign } from './states';

interface ICellsProps {
  readonly job: IJob;
  readonly listing: readonly IJobCell[];
  readonly cells: ReadonlyMap<number, ICellProgress>;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
}

/** The cells of a job's notebook, with what they have put out. */
export function Cells(props: ICellsProps): JSX.Element {
  const { listing, cells, trans } = props;
  return (
    <ol className="jp-Workbench-jobCells" aria-label={trans.__('Cells')}>
      {listing.map((cell, number) => (
        <Cell
          {...props}
          key={number}
          number={number}
          cell={cell}
          progress={cells.get(number)}
        />
      ))}
    </ol>
  );
}

function Cell(
  props: ICellsProps & {
    readonly number: number;
    readonly cell: IJobCell;
    readonly progress?: ICellProgress;
  }
): JSX.Element | null {
  const { number, cell, progress, job, rendermime, trans } = props;
  const source = cell.source.trim();
  const first = source.split('\n').find(line => line.trim()) ?? '';
  if (cell.type !== 'code') {
    return source ? (
      <li className="jp-Workbench-jobCell" data-type={cell.type}>
        <span className="jp-Workbench-muted">{first}</span>
      </li>
    ) : null;
  }
  const said = progress?.state ?? 'pending';
  const state = said === 'running' && !isOpen(job.state) ? job.state : said;
  const injected = cell.tags.includes('injected-parameters');
  return (
    <li
      className="jp-Workbench-jobCell"
      data-type="code"
      data-state={state}
      aria-current={state === 'running' ? 'step' : undefined}
    >
      <details>
        <summary>
          <Sign state={state} trans={trans} />
          <span className="jp-Workbench-jobCellNumber">{number}</span>
          <code className="jp-Workbench-jobCellFirst">
            {injected ? trans.__('the parameters of this job') : first}
          </code>
          <Took progress={progress} />
        </summary>
        <pre>{source}</pre>
      </details>
      {progress?.isCut && (
        <p className="jp-Workbench-jobHint">
          {trans.__(
            'There is more of it than is shown here; the executed notebook has all.'
          )}
        </p>
      )}
      {progress?.outputs && (
        <Outputs model={progress.outputs} rendermime={rendermime} />
      )}
      {state === 'failed' && progress?.error && !progress.outputs && (
        <p className="jp-Workbench-jobSaid">{progress.error}</p>
      )}
    </li>
  );
}

function Took(props: { readonly progress?: ICellProgress }): JSX.Element | null {
  const { began, ended } = props.progress ?? {};
  if (!began || !ended || ended - began < 0.1) {
    return null;
  }
  return <span className="jp-Workbench-time">{duration(ended - began)}</span>;
}

/** Outputs as a notebook shows them, of somebody who isn't trusted: no scripts, and clean HTML. */
function Outputs(props: {
  readonly model: OutputAreaModel;
  readonly rendermime: IRenderMimeRegistry;
}): JSX.Element {
  const { model, rendermime } = props;
  const host = useRef<HTMLDivElement>(null);
  // Of the layout, so that it is undone while the host is still in the page: else Lumino objects.
  useLayoutEffect(() => {
    const area = new SimplifiedOutputArea({ model, rendermime });
    Widget.attach(area, host.current!);
    return () => area.dispose();
  }, [model, rendermime]);
  return <div ref={host} className="jp-Workbench-jobOutputs" />;
}
