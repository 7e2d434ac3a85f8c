{{ suppressed_cells(
    cells=ref('int_person_cell'),
    cube=['cube_key'],
    area='area_id',
    classes=['class_1', 'class_2', 'class_3', 'class_4', 'class_5', 'class_6', 'class_7'],
    value='value'
) }}
