import { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { SearchBox, useFilter } from '../../ui/filter';
import { List } from '../../ui/list';
import { Empty } from '../../ui/parts';
import { CommandIDs } from './commands';
import { Chosen, Facets } from './facets';
import { Feature } from './feature';
import { FACETS, FeatureSearch, IAsked } from './search';
import { IUserActions, userActions } from './users';

/** About how high a feature is that isn't open, in pixels. */
const HEIGHT = 68;

/** What a model can be fed with: found by a word, put into the notebook by a click. */
export function featuresPanel(context: IContext): Panel {
  const { workbench, commands, trans } = context;
  const search = new FeatureSearch(workbench);
  const insert = (code: string): void =>
    void commands.execute(CommandIDs.insertFeature, { code });
  const actions = userActions(context);
  const panel = new Panel({
    id: 'features',
    workbench,
    topics: ['features'],
    load: () => search.load(),
    clear: () => search.clear(),
    render: () => (
      <Features {...actions} search={search} insert={insert} trans={trans} />
    )
  });
  panel.disposed.connect(() => search.dispose());
  return panel;
}

let panels = 0;

function Features(
  props: IUserActions & {
    readonly search: FeatureSearch;
    readonly insert: (code: string) => void;
    readonly trans: TranslationBundle;
  }
): JSX.Element {
  const { search, trans } = props;
  const asked = useFilter(search.filter);
  const [isOpen, setOpen] = useState(false);
  const [id] = useState(() => `jp-Workbench-facets-${panels++}`);
  return (
    <div className="jp-Workbench-features" data-facets={isOpen}>
      <div className="jp-Workbench-tools">
        <SearchBox
          text={asked.text}
          label={trans.__('Filter features')}
          placeholder={trans.__('Search by name or meaning')}
          onType={text => search.filter.type({ text })}
        />
        <Chosen
          search={search}
          id={id}
          isOpen={isOpen}
          toggle={() => setOpen(!isOpen)}
          trans={trans}
        />
      </div>
      <Facets id={id} search={search} trans={trans} />
      <List
        key={JSON.stringify(asked)}
        pages={search.features}
        trans={trans}
        label={trans.__('Features')}
        keyOf={feature => feature.name}
        height={HEIGHT}
        empty={<Empty>{whyNone(asked, trans)}</Empty>}
      >
        {feature => <Feature {...props} feature={feature} />}
      </List>
    </div>
  );
}

function whyNone(asked: IAsked, trans: TranslationBundle): string {
  const text = asked.text.trim();
  if (FACETS.some(facet => asked[facet].length)) {
    return trans.__('No feature has all that is asked for. Take a filter away.');
  }
  return text
    ? trans.__('No feature has “%1”.', text)
    : trans.__(
        'No features yet. Declare views in features/*.py, then type `workbench features apply`.'
      );
}
