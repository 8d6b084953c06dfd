<?php

namespace Tea\Room;

use Tea\House\Leaf;
use function Tea\boil;

require_once 'pot.php';

const MOST = 10;
define('LEAST', 1);

#[Attr]
final class Pot extends Vessel implements Heated
{
    use Warm;

    public const LIMIT = 3;
    private ?Leaf $leaf = null;

    public function __construct(private int $size)
    {
        parent::__construct($size);
    }

    public static function pour(Cup $cup): Cup
    {
        boil($cup);
        $cup->fill(self::LIMIT);
        return new Cup(Water::hot());
    }
}

interface Heated
{
    public function heat(int $degrees): void;
}

trait Warm
{
    public function warm(): void
    {
    }
}

enum Size: string
{
    case Small = 's';
    case Large = 'l';
}

function steep(Leaf $leaf)
{
    return brew($leaf);
}
