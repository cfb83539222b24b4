/**
 * Narrowing by what features are: checkboxes with how many there would be.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { caretDownEmptyIcon, closeIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import { useResource } from '../../api/resource';
import { ICounted } from '../../api/types';
import { useFilter } from '../../ui/filter';
import { Facet, FACETS, FeatureSearch } from './search';

/** How many values of a facet are shown before the others are asked for. */
const VALUES = 6;

interface IFacetsProps {
  readonly search: FeatureSearch;
  readonly trans: TranslationBundle;
}

/** How many there are, what is chosen, and a button for the facets where they have no room. */
export function Chosen(
  props: IFacetsProps & {
    /** Of the facets, which the button shows. */
    readonly id: string;
    readonly isOpen: boolean;
    readonly toggle: () => void;
  }
): JSX.Element {
  const { search, trans, id, isOpen, toggle } = props;
  const counts = useResource(search.counts);
  const asked = useFilter(search.filter);
  const chosen = FACETS.flatMap(facet => asked[facet].map(value => ({ facet, value })));
  const removal = (facet: Facet, value: string): string =>
    trans.__('Remove the filter %1: %2', facetName(facet, trans), value);
  const total = counts.kind === 'error' ? undefined : counts.value?.total;
  return (
    <>
      <div className="jp-Workbench-found">
        <button
          className="jp-Workbench-button jp-Workbench-facetsButton"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={toggle}
        >
          {chosen.length
            ? trans._n('%1 filter', '%1 filters', chosen.length)
            : trans.__('Filter by…')}
          <caretDownEmptyIcon.react tag="span" className="jp-Workbench-icon" />
        </button>
        <span className="jp-Workbench-muted" role="status">
          {total !== undefined &&
            trans._n('1 feature', '%2 features', total, total.toLocaleString())}
        </span>
      </div>
      {chosen.length > 0 && (
        <ul
          className="jp-Workbench-chosenFacets"
          aria-label={trans.__('Chosen filters')}
        >
          {chosen.map(({ facet, value }) => (
            <li key={`${facet}:${value}`}>
              <button
                className="jp-Workbench-pill"
                aria-label={removal(facet, value)}
                title={removal(facet, value)}
                onClick={() => search.toggle(facet, value)}
              >
                <span>{value}</span>
                <closeIcon.react tag="span" className="jp-Workbench-icon" />
              </button>
            </li>
          ))}
          {chosen.length > 1 && (
            <li>
              <button
                className="jp-Workbench-link"
                onClick={() => search.chooseNothing()}
              >
                {trans.__('Clear all')}
              </button>
            </li>
          )}
        </ul>
      )}
    </>
  );
}

/** The facets that have more than nothing to choose. */
export function Facets(props: IFacetsProps & { readonly id: string }): JSX.Element {
  const { search, trans, id } = props;
  const counts = useResource(search.counts);
  const value = counts.kind === 'error' ? undefined : counts.value;
  return (
    <div id={id} className="jp-Workbench-facets">
      {value &&
        FACETS.filter(facet => value.facets[facet]?.length).map(facet => (
          <FacetValues key={facet} facet={facet} counted={value} {...props} />
        ))}
      {value && !FACETS.some(facet => value.facets[facet]?.length) && (
        <p className="jp-Workbench-muted">{trans.__('Nothing to filter by.')}</p>
      )}
      {counts.kind === 'error' && (
        <p className="jp-Workbench-muted" role="alert">
          {counts.error.message}{' '}
          <button
            className="jp-Workbench-link"
            onClick={() => void search.counts.load()}
          >
            {trans.__('Try again')}
          </button>
        </p>
      )}
    </div>
  );
}

function FacetValues(
  props: IFacetsProps & { readonly facet: Facet; readonly counted: ICounted }
): JSX.Element {
  const { search, facet, counted, trans } = props;
  const [isWhole, setWhole] = useState(false);
  const chosen = useFilter(search.filter)[facet];
  const values = counted.facets[facet];
  const shown = isWhole
    ? values
    : values.filter((one, index) => index < VALUES || chosen.includes(one.value));
  const unlisted = (counted.values[facet] ?? values.length) - values.length;
  return (
    <fieldset className="jp-Workbench-facet">
      <legend>{facetName(facet, trans)}</legend>
      {shown.map(({ value, count }) => (
        <label key={value} title={value}>
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={() => search.toggle(facet, value)}
          />
          <span className="jp-Workbench-facetValue">{value}</span>
          <span className="jp-Workbench-facetCount">{count.toLocaleString()}</span>
        </label>
      ))}
      {values.length > VALUES && (
        <button
          className="jp-Workbench-link"
          aria-expanded={isWhole}
          onClick={() => setWhole(!isWhole)}
        >
          {isWhole
            ? trans.__('Show fewer')
            : trans.__('Show %1 more', (values.length - shown.length).toLocaleString())}
        </button>
      )}
      {isWhole && unlisted > 0 && (
        <p className="jp-Workbench-muted">
          {trans._n(
            'and one rarer value: search by its name',
            'and %2 rarer values: search by their names',
            unlisted,
            unlisted.toLocaleString()
          )}
        </p>
      )}
    </fieldset>
  );
}

function facetName(facet: Facet, trans: TranslationBundle): string {
  return {
    entity: trans.__('Entity'),
    tag: trans.__('Tag'),
    availability: trans.__('Availability'),
    owner: trans.__('Owner')
  }[facet];
}
