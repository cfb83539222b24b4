/**
 * The form from which a notebook is run as a job, or as many.
 */
import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { FormEvent, useEffect, useRef, useState } from 'react';

import { api, ask } from '../../api/client';
import { Resource, useResource } from '../../api/resource';
import { IJobForm } from '../../api/types';
import { IContext } from '../../plugin';
import { Failure, Loading } from '../../ui/parts';
import { READING_TIME } from '../../ui/saying';
import { Actions, CommandIDs } from './actions';
import { ParameterField } from './fields';
import { Filling, useFilled } from './filling';
import { Options } from './options';
import { Scheduling } from './scheduling';

export interface IFormOptions extends IContext {
  readonly actions: Actions;
  /** From the project's root. */
  readonly notebook: string;
  /** What to fill in. */
  readonly parameters: Readonly<Record<string, string>>;
}

export class FormWidget extends ReactWidget {
  constructor(private readonly _options: IFormOptions) {
    super();
    const { workbench, notebook, trans } = _options;
    this.addClass('jp-Workbench');
    this.addClass('jp-Workbench-panel');
    this.node.dataset.panel = 'job-form';
    this.title.caption = trans.__('Run %1 as a job', notebook);
    this._path = workbench.path;
    void this._form.load();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._form.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <Page {...this._options} path={this._path} form={this._form} />;
  }

  protected override onActivateRequest(): void {
    focusFirst(this.node);
  }

  private readonly _path: string;
  private readonly _form: Resource<IJobForm> = new Resource(signal =>
    ask(
      api.GET('/job-form', {
        params: { query: { path: this._path, notebook: this._options.notebook } },
        signal
      })
    )
  );
}

interface IPageProps extends IFormOptions {
  readonly path: string;
  readonly form: Resource<IJobForm>;
}

function Page(props: IPageProps): JSX.Element {
  const { path, form, parameters, trans } = props;
  const state = useResource(form);
  const value = state.kind === 'ready' ? state.value : null;
  const [filling, setFilling] = useState<Filling | null>(null);
  useEffect(() => {
    const made = value && new Filling(path, value, parameters);
    setFilling(made);
    return () => made?.dispose();
  }, [path, value, parameters]);
  if (state.kind === 'error') {
    return <Failure error={state.error} retry={() => form.load()} trans={trans} />;
  }
  return filling ? <Form {...props} filling={filling} /> : <Loading trans={trans} />;
}

function Form(props: IPageProps & { readonly filling: Filling }): JSX.Element {
  const { filling, notebook, form, path, workbench, trans } = props;
  const { fields } = filling.form;
  const node = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const panel = node.current!.closest<HTMLElement>('.jp-Workbench-panel');
    if (panel && panel === document.activeElement) {
      focusFirst(panel); // it was opened before there were fields
    }
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send(props);
  };
  return (
    <form ref={node} className="jp-Workbench-jobForm" onSubmit={submit} noValidate>
      <header>
        <h2>{notebook}</h2>
        <button
          type="button"
          className="jp-Workbench-link"
          title={trans.__('Read the parameters again, and begin anew')}
          onClick={() => void form.load()}
        >
          {trans.__('Start over')}
        </button>
      </header>
      {fields.length ? (
        <div className="jp-Workbench-jobFields">
          {fields.map(field => (
            <ParameterField
              key={field.parameter.name}
              field={field}
              filling={filling}
              trans={trans}
            />
          ))}
        </div>
      ) : (
        <p className="jp-Workbench-empty">
          {trans.__(
            'The notebook takes no parameters: no cell is tagged “parameters”. It runs as it is.'
          )}
        </p>
      )}
      <Options filling={filling} trans={trans} />
      <Scheduling filling={filling} workbench={workbench} path={path} trans={trans} />
      <Foot filling={filling} trans={trans} />
    </form>
  );
}

function Foot(props: {
  readonly filling: Filling;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { filling, trans } = props;
  const { checked, isChecking, isSending, error } = useFilled(filling);
  const jobs = checked?.jobs ?? 0;
  const wrong = Object.keys(checked?.problems ?? {}).length;
  const { workers } = filling.form;
  return (
    <footer className="jp-Workbench-jobFormFoot">
      {(error ?? checked?.problem) && (
        <p className="jp-Workbench-jobSaid" role="alert">
          {error?.message ?? checked?.problem}
        </p>
      )}
      <button
        type="submit"
        className="jp-Workbench-button jp-Workbench-primary"
        disabled={!jobs || isSending}
        aria-busy={isSending}
      >
        {isSending
          ? trans.__('Asking…')
          : jobs > 1
            ? trans.__('Run %1 jobs', jobs)
            : trans.__('Run as a job')}
      </button>
      <span className="jp-Workbench-muted" role="status">
        {isChecking
          ? trans.__('checking…')
          : wrong
            ? trans._n('%1 field is not right', '%1 fields are not right', wrong, wrong)
            : jobs > 1
              ? trans.__('%1 jobs, %2 at a time', jobs, Math.min(workers, jobs))
              : ''}
      </span>
    </footer>
  );
}

/** Give the keyboard to the first field, or to the button of a form that has none. */
function focusFirst(panel: HTMLElement): void {
  const first = panel.querySelector<HTMLElement>(
    '.jp-Workbench-jobField :is(input, select), .jp-Workbench-primary'
  );
  (first ?? panel).focus();
}

async function send(props: IPageProps & { readonly filling: Filling }): Promise<void> {
  const { filling, workbench, commands, trans } = props;
  const sent = await filling.send();
  if (!sent) {
    return;
  }
  workbench.tell('jobs');
  const { ids, cached } = sent;
  const fresh = ids.length - cached;
  const message = !fresh
    ? trans._n(
        'The same was done before: here is its record.',
        'All %1 were done before.',
        cached,
        cached
      )
    : trans._n('One job was asked for.', '%1 jobs were asked for.', fresh, fresh);
  Notification.info(message, { autoClose: READING_TIME });
  if (ids.length === 1) {
    await commands.execute(CommandIDs.openJob, { id: ids[0] });
  } else {
    await commands.execute('workbench:show-jobs');
  }
}
