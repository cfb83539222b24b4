import { TranslationBundle } from '@jupyterlab/translation';
import { addIcon } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';
import React, { ReactNode, useState } from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { IFeature, Metric } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { Empty, Limited, Shown } from '../../ui/parts';
import { CommandIDs } from './commands';

const FEATURES = 30;

/** How long typing in the filter box rests before the server is asked, in milliseconds. */
const TYPING_PAUSE = 200;

/** What a model can be fed with: found by a word, put into the notebook by a click. */
export function featuresPanel({ workbench, commands, trans }: IContext): Panel {
  const filter = new Filter();
  const features = new Resource(signal =>
    ask(
      api.GET('/features', {
        params: { query: { path: workbench.path, q: filter.text } },
        signal
      })
    )
  );
  const typing = new Debouncer(() => features.load(), TYPING_PAUSE);
  filter.changed = () => void typing.invoke().catch(() => undefined);
  const insert = (code: string): void =>
    void commands.execute(CommandIDs.insertFeature, { code });
  return new Panel({
    id: 'features',
    workbench,
    topics: ['features'],
    load: () => features.load(),
    clear: () => features.clear(),
    render: () => (
      <Features features={features} filter={filter} insert={insert} trans={trans} />
    )
  });
}

/** The words that a listed feature has. */
class Filter {
  text = '';
  changed: () => void = () => undefined;
}

function Features(props: {
  readonly features: Resource<readonly IFeature[]>;
  readonly filter: Filter;
  readonly insert: (code: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { features, filter, insert, trans } = props;
  return (
    <Shown
      resource={features}
      trans={trans}
      whenEmpty={found =>
        found.length ? null : <Empty>{whyNone(filter.text, trans)}</Empty>
      }
      tools={<FilterBox filter={filter} trans={trans} />}
    >
      {found => (
        <Limited items={found} limit={FEATURES} trans={trans}>
          {feature => (
            <Feature
              key={feature.name}
              feature={feature}
              insert={insert}
              trans={trans}
            />
          )}
        </Limited>
      )}
    </Shown>
  );
}

function whyNone(filter: string, trans: TranslationBundle): string {
  return filter.trim()
    ? trans.__('No feature has “%1”.', filter.trim())
    : trans.__(
        'No features yet. Declare views in features/*.py, then type `workbench features apply`.'
      );
}

function FilterBox(props: {
  readonly filter: Filter;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { filter, trans } = props;
  const [text, setText] = useState(filter.text);
  return (
    <input
      type="search"
      className="jp-Workbench-filter"
      aria-label={trans.__('Filter features')}
      placeholder={trans.__('Filter by name or meaning')}
      value={text}
      onChange={event => {
        filter.text = event.target.value;
        setText(filter.text);
        filter.changed();
      }}
    />
  );
}

function Feature(props: {
  readonly feature: IFeature;
  readonly insert: (code: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { feature, insert, trans } = props;
  const entity = feature.entity.join(', ');
  return (
    <li className="jp-Workbench-feature" title={tooltip(feature, trans)}>
      <div className="jp-Workbench-featureName">
        <span className="jp-Workbench-muted">{breakable(feature.view)}:</span>
        <wbr />
        {breakable(feature.feature)}
      </div>
      <div>{feature.description}</div>
      {feature.statistics && (
        <Sparkline points={feature.statistics.points} trans={trans} />
      )}
      <div className="jp-Workbench-featureFoot">
        <span className="jp-Workbench-facts">
          {entity && <span>{trans.__('per %1', entity)}</span>}
          {feature.dtype && <span>{feature.dtype}</span>}
          <span>{feature.availability}</span>
          {feature.freshness && <span>{trans.__('within %1', feature.freshness)}</span>}
          {feature.uses > 0 && <span>{trans.__('used %1×', feature.uses)}</span>}
          {feature.tags.map(tag => (
            <span key={tag}>#{tag}</span>
          ))}
        </span>
        <button
          className="jp-Workbench-button"
          aria-label={trans.__('Insert %1', feature.name)}
          title={trans.__('Insert its code into the notebook, at the cursor')}
          onClick={() => insert(feature.code)}
        >
          <addIcon.react tag="span" className="jp-Workbench-icon" />
          {trans.__('Insert')}
        </button>
      </div>
    </li>
  );
}

/** Draw values window by window; a window without one is a gap. */
function Sparkline(props: {
  readonly points: readonly (Metric | null)[];
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const known = props.points.filter(isNumber);
  if (known.length < 2) {
    return null;
  }
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const across = 100 / (props.points.length - 1);
  const height = (point: number): number =>
    14 - (12 * (point - low)) / (high - low || 1);
  let pen = 'M';
  const path = props.points.map((point, index) => {
    if (!isNumber(point)) {
      pen = 'M';
      return '';
    }
    const step = `${pen}${(index * across).toFixed(1)} ${height(point).toFixed(1)}`;
    pen = 'L';
    return step;
  });
  return (
    <svg
      className="jp-Workbench-sparkline"
      role="img"
      aria-label={props.trans.__('Values over time')}
      viewBox="0 0 100 16"
      preserveAspectRatio="none"
    >
      <path d={path.join('')} />
    </svg>
  );
}

function isNumber(point: Metric | null): point is number {
  return typeof point === 'number';
}

/** Let a long name break after its underscores only. */
function breakable(name: string): ReactNode {
  return name.split(/(?<=_)/).map((part, index) => (
    <React.Fragment key={index}>
      {part}
      <wbr />
    </React.Fragment>
  ));
}

function tooltip(feature: IFeature, trans: TranslationBundle): string {
  return [
    feature.name,
    feature.view_description,
    feature.owner && trans.__('Owner: %1', feature.owner),
    feature.ttl && trans.__('Valid for: %1', feature.ttl),
    feature.tags.length && trans.__('Tags: %1', feature.tags.join(', ')),
    feature.formula && trans.__('Formula: %1', feature.formula),
    feature.materialized_at && trans.__('Online since: %1', feature.materialized_at),
    feature.used_by.length && trans.__('Used by: %1', feature.used_by.join(', '))
  ]
    .filter(Boolean)
    .join('\n');
}
