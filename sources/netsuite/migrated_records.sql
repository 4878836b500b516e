-- One row per record that came here from the ERP that this account replaces, by the id that the migration wrote into a
-- field of its own. Asked only of an account that replaces another system; records made here have no former id.
with moved as (
    select
        'customers' as id_space,
        id,
        former_id,
        _deleted,
        'customer' as source_table,
        _load_seq,
        _row
    from customer
    union all
    -- All transactions are numbered together: invoices, payments, orders and journals.
    select
        'documents',
        id,
        former_id,
        _deleted,
        'transaction' as source_table,
        _load_seq,
        _row
    from transaction
    union all
    select
        'products',
        id,
        former_id,
        _deleted,
        'item' as source_table,
        _load_seq,
        _row
    from item
    union all
    select
        'gl_accounts',
        id,
        former_id,
        _deleted,
        'account' as source_table,
        _load_seq,
        _row
    from account
    union all
    select
        'legal_entities',
        id,
        former_id,
        _deleted,
        'subsidiary' as source_table,
        _load_seq,
        _row
    from subsidiary
)

select
    key('erp', id_space || '/' || id) as migrated_record_id,
    id_space,
    key('erp', id) as record_key,
    key('erp', former_id) as former_key,
    null as valid_from,
    -- A record that is deleted later still has to be known by its former id.
    false as is_deleted,
    source_table,
    _load_seq as load_seq,
    _row as row_number
from moved
where former_id is not null
