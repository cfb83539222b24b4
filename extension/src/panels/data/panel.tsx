import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useResource } from '../../api/resource';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { SearchBox, useFilter } from '../../ui/filter';
import { List } from '../../ui/list';
import { Empty } from '../../ui/parts';
import { CommandIDs as InsertIDs } from '../features/commands';
import { userActions } from '../features/users';
import { CommandIDs } from './commands';
import { IThingActions } from './detail';
import { Kinds, kindsName } from './kinds';
import { CatalogueSearch, keyOf } from './search';
import { Thing } from './thing';

/** The panel Models', which may be switched off. */
const SHOW_LINEAGE = 'workbench:show-lineage';

/** About how high a thing is that isn't open, in pixels. */
const HEIGHT = 72;

/** What data there is, how it came to be and what it is like; put into the notebook by a click. */
export function dataPanel(context: IContext): Panel {
  const { workbench, commands, trans } = context;
  const search = new CatalogueSearch(workbench);
  const actions: IThingActions = {
    ...userActions(context),
    insert: code => void commands.execute(InsertIDs.insertCode, { code }),
    openReport: source => void commands.execute(CommandIDs.openReport, { source }),
    showLineage: node => void commands.execute(SHOW_LINEAGE, { node })
  };
  const panel = new Panel({
    id: 'data',
    workbench,
    topics: ['data', 'features', 'models'],
    load: () => search.load(),
    clear: () => search.clear(),
    render: () => <Catalogue {...actions} search={search} trans={trans} />
  });
  panel.disposed.connect(() => search.dispose());
  return panel;
}

function Catalogue(
  props: IThingActions & {
    readonly search: CatalogueSearch;
    readonly trans: TranslationBundle;
  }
): JSX.Element {
  const { search, trans } = props;
  const asked = useFilter(search.filter);
  return (
    <div className="jp-Workbench-catalogue">
      <div className="jp-Workbench-tools">
        <SearchBox
          text={asked.text}
          label={trans.__('Search data')}
          placeholder={trans.__('Search by name or column')}
          onType={text => search.filter.type({ text })}
        />
        <Kinds search={search} trans={trans} />
      </div>
      <List
        key={JSON.stringify(asked)}
        pages={search.things}
        trans={trans}
        label={asked.kind === '' ? trans.__('Catalogue') : kindsName(asked.kind, trans)}
        keyOf={keyOf}
        height={HEIGHT}
        empty={<Nothing search={search} trans={trans} />}
      >
        {thing => <Thing {...props} thing={thing} />}
      </List>
    </div>
  );
}

function Nothing(props: {
  readonly search: CatalogueSearch;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { search, trans } = props;
  const { text, kind } = useFilter(search.filter);
  const counts = useResource(search.counts);
  const elsewhere =
    counts.kind === 'error'
      ? 0
      : (counts.value ?? []).reduce((sum, one) => sum + one.count, 0);
  const hasOthers = kind !== '' && elsewhere > 0 && text.trim() !== '';
  return (
    <Empty>
      {text.trim()
        ? trans.__('Nothing here has “%1”.', text.trim())
        : kind === 'source'
          ? trans.__('No sources yet. Declare one as [sources.NAME] in workbench.toml.')
          : trans.__('None yet.')}{' '}
      {hasOthers && (
        <button
          className="jp-Workbench-link"
          onClick={() => search.filter.set({ kind: '' })}
        >
          {trans._n(
            'Show the one of another kind',
            'Show the %1 of other kinds',
            elsewhere
          )}
        </button>
      )}
    </Empty>
  );
}
