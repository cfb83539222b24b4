import { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, closeIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { IModel, IModelVersion } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { Ago, Empty, Limited, MetricRow, Shown } from '../../ui/parts';

const MODELS = 8;
const VERSIONS = 3;
const METRICS = 3;

/** The registered models: which version is whose champion, and on what evidence. */
export function modelsPanel({ workbench, trans }: IContext): Panel {
  const models = new Resource(signal =>
    ask(api.GET('/models', { params: { query: { path: workbench.path } }, signal }))
  );
  return new Panel({
    id: 'models',
    workbench,
    topics: ['models'],
    load: () => models.load(),
    clear: () => models.clear(),
    render: () => <Models models={models} trans={trans} />
  });
}

function Models(props: {
  readonly models: Resource<readonly IModel[]>;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { models, trans } = props;
  return (
    <Shown
      resource={models}
      trans={trans}
      whenEmpty={found =>
        found.length ? null : (
          <Empty>
            {trans.__('No models yet. A model that a run registers appears here.')}
          </Empty>
        )
      }
    >
      {found => (
        <Limited items={found} limit={MODELS} trans={trans}>
          {model => <Model key={model.name} model={model} trans={trans} />}
        </Limited>
      )}
    </Shown>
  );
}

function Model(props: {
  readonly model: IModel;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  return (
    <li className="jp-Workbench-model">
      <div className="jp-Workbench-line jp-Workbench-modelHead">
        <span className="jp-Workbench-name" title={model.name}>
          {model.name}
        </span>
        <span className="jp-Workbench-chips">
          {Object.entries(model.aliases).map(([alias, version]) => (
            <span key={alias} className="jp-Workbench-chip" data-alias={alias}>
              {trans.__('%1 v%2', alias, version)}
            </span>
          ))}
        </span>
      </div>
      <Limited items={model.versions} limit={VERSIONS} trans={trans}>
        {version => <Version key={version.version} version={version} trans={trans} />}
      </Limited>
    </li>
  );
}

function Version(props: {
  readonly version: IModelVersion;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { version, trans } = props;
  return (
    <li
      className="jp-Workbench-version"
      data-champion={version.aliases.includes('champion')}
    >
      <div className="jp-Workbench-line">
        <span className="jp-Workbench-versionName">
          {trans.__('v%1', version.version)}
        </span>
        <Gate outcome={version.gate} trans={trans} />
        <Ago time={version.created_at} />
      </div>
      <MetricRow metrics={version.metrics} limit={METRICS} />
    </li>
  );
}

function Gate(props: {
  readonly outcome: IModelVersion['gate'];
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { outcome, trans } = props;
  if (outcome === null) {
    return <span className="jp-Workbench-gate">{trans.__('no gate yet')}</span>;
  }
  const Icon = outcome === 'passed' ? checkIcon : closeIcon;
  return (
    <span className="jp-Workbench-gate" data-outcome={outcome}>
      <Icon.react tag="span" className="jp-Workbench-icon" />
      {outcome === 'passed' ? trans.__('gate passed') : trans.__('gate failed')}
    </span>
  );
}
