/**
 * One feature of the list: what it is, at a glance.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, caretDownEmptyIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React, { ReactNode } from 'react';

import { IFeature } from '../../api/types';
import { BriefButton } from '../../ui/item';
import { useFilter } from '../../ui/filter';
import { Detail } from './detail';
import { Sparkline } from './drawing';
import { FeatureSearch } from './search';
import { IUserActions } from './users';

export interface IFeatureProps extends IUserActions {
  readonly feature: IFeature;
  readonly search: FeatureSearch;
  readonly insert: (code: string) => void;
  readonly trans: TranslationBundle;
}

export function Feature(props: IFeatureProps): JSX.Element {
  const { feature, search, insert, trans } = props;
  const isOpen = useFilter(search.opened).name === feature.name;
  const Caret = isOpen ? caretDownEmptyIcon : caretRightIcon;
  const id = `jp-Workbench-feature-${feature.name}`;
  return (
    <article className="jp-Workbench-item" data-open={isOpen}>
      <div className="jp-Workbench-itemHead">
        <button
          className="jp-Workbench-featureName"
          aria-expanded={isOpen}
          aria-controls={id}
          title={tooltip(feature, trans)}
          onClick={() => search.opened.set({ name: isOpen ? null : feature.name })}
        >
          <Caret.react tag="span" className="jp-Workbench-icon" />
          <span>
            <span className="jp-Workbench-muted">{breakable(feature.view)}:</span>
            <wbr />
            {breakable(feature.feature)}
          </span>
        </button>
        <BriefButton
          icon={addIcon}
          word={trans.__('Insert')}
          label={trans.__('Insert %1', feature.name)}
          title={trans.__('Insert its code into the notebook, at the cursor')}
          onClick={() => insert(feature.code)}
        />
      </div>
      {feature.description && (
        <div className="jp-Workbench-itemSaid">{feature.description}</div>
      )}
      <div className="jp-Workbench-itemFoot">
        <Facts feature={feature} trans={trans} />
        {!isOpen && feature.statistics && (
          <Sparkline
            points={feature.statistics.points}
            label={trans.__('Values over time')}
          />
        )}
      </div>
      <div id={id}>{isOpen && <Detail {...props} />}</div>
    </article>
  );
}

function Facts(props: {
  readonly feature: IFeature;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { feature, trans } = props;
  const entity = feature.entity.join(', ');
  return (
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
  );
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
    feature.owner && trans.__('Owner: %1', feature.owner)
  ]
    .filter(Boolean)
    .join('\n');
}
