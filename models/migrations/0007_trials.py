from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.contrib.postgres.fields import ArrayField
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', "0006_retention")]

    initial = False

    operations = [
        ops.AddField(
            model_name='Import',
            name='split_attempts',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.CreateModel(
            name='ChunkTrial',
            fields=[
                ('chunk_id', fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ('since', fields.IntField(db_default=0)),
                ('until', fields.IntField(db_default=0)),
                ('condemned', ArrayField(db_default=[], element_type='INT')),
            ],
            options={'table': 'chunk_trials', 'app': 'models', 'pk_attr': 'chunk_id', 'table_description': 'What is known of the rows of a chunk that has ended its workers.'},
            bases=['Model'],
        ),
    ]
