import { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, closeIcon, tableRowsIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { ISource } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { Ago, Empty, Limited, Shown } from '../../ui/parts';
import { CommandIDs } from './commands';

const SOURCES = 8;

/** The named sources: what was read of them, whether their contract was kept, what is in them. */
export function dataPanel({ workbench, commands, trans }: IContext): Panel {
  const sources = new Resource(signal =>
    ask(api.GET('/sources', { params: { query: { path: workbench.path } }, signal }))
  );
  const openReport = (source: string): void =>
    void commands.execute(CommandIDs.openReport, { source });
  return new Panel({
    id: 'data',
    workbench,
    topics: ['data'],
    load: () => sources.load(),
    clear: () => sources.clear(),
    render: () => <Sources sources={sources} openReport={openReport} trans={trans} />
  });
}

function Sources(props: {
  readonly sources: Resource<readonly ISource[]>;
  readonly openReport: (source: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { sources, openReport, trans } = props;
  return (
    <Shown
      resource={sources}
      trans={trans}
      whenEmpty={found =>
        found.length ? null : (
          <Empty>
            {trans.__(
              'No sources yet. Declare one as [sources.NAME] in workbench.toml.'
            )}
          </Empty>
        )
      }
    >
      {found => (
        <Limited items={found} limit={SOURCES} trans={trans}>
          {source => (
            <Source
              key={source.name}
              source={source}
              openReport={openReport}
              trans={trans}
            />
          )}
        </Limited>
      )}
    </Shown>
  );
}

function Source(props: {
  readonly source: ISource;
  readonly openReport: (source: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { source, openReport, trans } = props;
  return (
    <li className="jp-Workbench-feature" title={tooltip(source, trans)}>
      <div className="jp-Workbench-line">
        <span className="jp-Workbench-name">{source.name}</span>
        <Contract outcome={source.contract} trans={trans} />
        {source.read_at && <Ago time={source.read_at} />}
      </div>
      <div>{source.description}</div>
      <div className="jp-Workbench-featureFoot">
        <span className="jp-Workbench-facts">
          {source.rows !== null && (
            <span>{trans.__('%1 rows', source.rows.toLocaleString())}</span>
          )}
          {source.columns !== null && (
            <span>{trans.__('%1 columns', source.columns)}</span>
          )}
          {source.tags.map(tag => (
            <span key={tag}>#{tag}</span>
          ))}
        </span>
        <button
          className="jp-Workbench-button"
          aria-label={trans.__('Report of %1', source.name)}
          title={trans.__('Read it, and describe its columns')}
          onClick={() => openReport(source.name)}
        >
          <tableRowsIcon.react tag="span" className="jp-Workbench-icon" />
          {trans.__('Report')}
        </button>
      </div>
    </li>
  );
}

function Contract(props: {
  readonly outcome: ISource['contract'];
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { outcome, trans } = props;
  if (outcome === null) {
    return null;
  }
  const Icon = outcome === 'passed' ? checkIcon : closeIcon;
  return (
    <span className="jp-Workbench-gate" data-outcome={outcome}>
      <Icon.react tag="span" className="jp-Workbench-icon" />
      {outcome === 'passed' ? trans.__('contract kept') : trans.__('contract broken')}
    </span>
  );
}

function tooltip(source: ISource, trans: TranslationBundle): string {
  return [source.name, source.owner && trans.__('Owner: %1', source.owner)]
    .filter(Boolean)
    .join('\n');
}
