/**
 * A job in the main area: how it stands, and its cells as they go on.
 */
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { useResource } from '../../api/resource';
import { IJob, IJobDetails } from '../../api/types';
import { IContext } from '../../plugin';
import { moment } from '../../ui/format';
import { Failure, Loading } from '../../ui/parts';
import { Actions } from './actions';
import { Cells } from './cells';
import { JobProgress, useProgress } from './progress';
import { Bar, Clock, isOpen, Sign, stateName } from './states';

export interface IJobOptions extends IContext {
  readonly actions: Actions;
  readonly rendermime: IRenderMimeRegistry;
  readonly id: string;
}

export class JobWidget extends ReactWidget {
  constructor(private readonly _options: IJobOptions) {
    super();
    this.addClass('jp-Workbench');
    this.addClass('jp-Workbench-panel');
    this.node.dataset.panel = 'job';
    this.title.caption = _options.trans.__('Job %1', _options.id);
    this._progress = new JobProgress(_options.workbench, _options.id);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._progress.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <Job {...this._options} progress={this._progress} />;
  }

  private readonly _progress: JobProgress;
}

function Job(
  props: IJobOptions & { readonly progress: JobProgress }
): JSX.Element | null {
  const { progress, rendermime, trans } = props;
  const { job, cells, away } = useProgress(progress);
  const details = useResource(progress.details);
  const known = details.kind === 'error' ? undefined : details.value;
  const shown = job ?? known;
  if (!shown) {
    const error = details.kind === 'error' ? details.error : away;
    return error ? (
      <Failure error={error} retry={() => progress.details.load()} trans={trans} />
    ) : (
      <Loading trans={trans} />
    );
  }
  return (
    <div className="jp-Workbench-jobPage">
      <Head {...props} job={shown} siblings={known?.siblings ?? {}} />
      {away && isOpen(shown.state) && (
        <p className="jp-Workbench-jobHint" role="status">
          {trans.__('The server does not answer; it is asked again: %1', away.message)}
        </p>
      )}
      <Facts job={shown} details={known} {...props} />
      {known && known.listing.length > 0 ? (
        <Cells
          listing={known.listing}
          cells={cells}
          job={shown}
          rendermime={rendermime}
          trans={trans}
        />
      ) : (
        <p className="jp-Workbench-empty">
          {shown.state === 'queued'
            ? trans.__('It waits for its turn.')
            : isOpen(shown.state)
              ? trans.__('It is about to begin.')
              : trans.__('None of its cells was run.')}
        </p>
      )}
    </div>
  );
}

function Head(
  props: IJobOptions & {
    readonly job: IJob;
    readonly siblings: IJobDetails['siblings'];
  }
): JSX.Element {
  const { job, siblings, actions, trans } = props;
  const many = Object.values(siblings).reduce((sum, count) => sum + (count ?? 0), 0);
  const left = (siblings.queued ?? 0) + (siblings.running ?? 0);
  const held = { disabled: !!actions.whyNot, title: actions.whyNot };
  const bad = (siblings.failed ?? 0) + (siblings.lost ?? 0) + (siblings.cancelled ?? 0);
  return (
    <header className="jp-Workbench-jobHead">
      <h2>
        <button
          className="jp-Workbench-link"
          title={trans.__('Open the notebook as it is now')}
          onClick={() => actions.openFile(job.notebook)}
        >
          {job.notebook}
        </button>
      </h2>
      <p className="jp-Workbench-jobState">
        <Sign state={job.state} trans={trans} />
        <strong role="status">{stateName(job.state, trans)}</strong>
        {job.cells > 0 && (
          <span className="jp-Workbench-muted">
            {trans.__('%1 of %2 cells', job.cell, job.cells)}
          </span>
        )}
        <span className="jp-Workbench-muted">
          <Clock job={job} />
        </span>
      </p>
      {job.state === 'running' && <Bar job={job} trans={trans} />}
      <div className="jp-Workbench-jobActions">
        {isOpen(job.state) && (
          <button
            className="jp-Workbench-button"
            {...held}
            onClick={() => void actions.cancel({ ids: [job.id] }, job.notebook)}
          >
            {trans.__('Cancel')}
          </button>
        )}
        {!isOpen(job.state) && job.state !== 'succeeded' && (
          <button
            className="jp-Workbench-button"
            {...held}
            onClick={() => void actions.resume({ ids: [job.id] })}
          >
            {trans.__('Try again')}
          </button>
        )}
        {job.output && (
          <button
            className="jp-Workbench-button"
            onClick={() => actions.openExecuted(job)}
          >
            {trans.__('Executed notebook')}
          </button>
        )}
        <button
          className="jp-Workbench-button"
          {...held}
          onClick={() => actions.runAgain(job)}
        >
          {trans.__('Run with other parameters…')}
        </button>
      </div>
      {job.batch && many > 1 && (
        <p className="jp-Workbench-jobBatch">
          <span className="jp-Workbench-muted">
            {trans.__(
              'One of %1 jobs: %2 succeeded, %3 not, %4 to come',
              many,
              siblings.succeeded ?? 0,
              bad,
              left
            )}
          </span>
          {left > 0 && (
            <button
              className="jp-Workbench-link"
              {...held}
              onClick={() =>
                void actions.cancel(
                  { batch: job.batch! },
                  trans._n(
                    'the job that is left',
                    'the %1 jobs that are left',
                    left,
                    left
                  )
                )
              }
            >
              {trans.__('Cancel what is left')}
            </button>
          )}
          {bad > 0 && left === 0 && (
            <button
              className="jp-Workbench-link"
              {...held}
              onClick={() => void actions.resume({ batch: job.batch! })}
            >
              {trans.__('Run what is not done')}
            </button>
          )}
        </p>
      )}
    </header>
  );
}

function Facts(
  props: IJobOptions & { readonly job: IJob; readonly details?: IJobDetails }
): JSX.Element {
  const { job, details, trans } = props;
  const params = Object.entries(job.params);
  const facts: [string, string | null][] = [
    [trans.__('For'), job.label],
    [trans.__('Asked for'), moment(job.created_at)],
    [trans.__('Attempt'), job.attempt > 1 ? `${job.attempt}` : null],
    [trans.__('Branch'), job.branch],
    [trans.__('Kernel'), job.kernel],
    [trans.__('Run'), job.run_id],
    [
      trans.__('Gave out'),
      details?.outputs.map(each => `${each.name} (${each.kind})`).join(', ') ?? null
    ]
  ];
  return (
    <section className="jp-Workbench-jobAbout">
      {job.error && (
        <p className="jp-Workbench-jobSaid" role="alert">
          {job.error}
        </p>
      )}
      {params.length > 0 && (
        <dl className="jp-Workbench-jobFacts" aria-label={trans.__('Parameters')}>
          {params.map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
            </React.Fragment>
          ))}
        </dl>
      )}
      <dl className="jp-Workbench-jobFacts">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
      </dl>
    </section>
  );
}
