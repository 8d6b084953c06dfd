using System;
using Tea.House;

namespace Tea.Room
{
    public delegate void Poured(Cup cup);

    [Serializable]
    public class Pot : Vessel, IHeated
    {
        public const int Limit = 3;
        private readonly Leaf leaf;

        public event Poured OnPour;

        public int Size { get; set; }

        public Pot(int size)
        {
            Size = size;
        }

        public Cup Pour(Cup cup)
        {
            Boil(cup);
            return new Cup(cup.Fill(Limit));
        }
    }

    public interface IHeated
    {
        void Heat(int degrees);
    }

    public record Cup(int Size);

    public struct Leaf
    {
        public int Grams;
    }

    public enum Size
    {
        Small,
        Large
    }
}
